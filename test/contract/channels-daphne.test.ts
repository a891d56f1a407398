import { contract } from './suite.ts'
import { inNode } from './theatres.ts'

contract(['channels-daphne'], ['ws', 'undici'], inNode)
