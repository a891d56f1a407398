import { passesTheKit } from './reference.ts'

passesTheKit('node')
