import { contract } from './suite.ts'
import { NODE_THEATRES } from './theatres.ts'

contract(
  'fastapi-websockets',
  ['ws', 'undici'],
  ({ runtime }) => NODE_THEATRES[runtime === 'ws' ? 'ws' : 'undici'],
)
