import { contract } from './suite.ts'
import { inNode } from './theatres.ts'

contract(['fastapi-websockets'], ['ws', 'undici'], inNode)
