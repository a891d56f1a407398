import { contract } from './suite.ts'
import { inNode } from './theatres.ts'

contract(['node'], ['ws', 'undici'], inNode)
