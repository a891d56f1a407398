import * as sdk from '../../dist/index.browser.js'
import { story } from './story.mjs'

globalThis.sdk = sdk
globalThis.run = (server) => story(sdk, { server })
