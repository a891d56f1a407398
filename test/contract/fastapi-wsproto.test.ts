import { contract } from './suite.ts'
import { inNode } from './theatres.ts'

contract(['fastapi-wsproto'], ['ws', 'undici'], inNode)
