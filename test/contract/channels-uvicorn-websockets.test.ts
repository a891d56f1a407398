import { contract } from './suite.ts'
import { inNode } from './theatres.ts'

contract(['channels-uvicorn-websockets'], ['ws', 'undici'], inNode)
