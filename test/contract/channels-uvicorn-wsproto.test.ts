import { contract } from './suite.ts'
import { inNode } from './theatres.ts'

contract(['channels-uvicorn-wsproto'], ['ws', 'undici'], inNode)
