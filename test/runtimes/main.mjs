/** The story on the command line: `main.mjs <server> own|found`. It ends by itself. */
import * as sdk from '../../dist/index.js'
import { story } from './story.mjs'

const [server, socket] = process.argv.slice(2)
const given = socket === 'own' ? { server, WebSocket: globalThis.WebSocket } : { server }
console.log(JSON.stringify(await story(sdk, given)))
