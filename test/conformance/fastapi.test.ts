import { passesTheKit } from './reference.ts'

passesTheKit('fastapi-websockets', 'fastapi-wsproto')
