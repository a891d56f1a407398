import { passesTheKit } from './reference.ts'

passesTheKit('channels-daphne', 'channels-uvicorn-websockets', 'channels-uvicorn-wsproto')
