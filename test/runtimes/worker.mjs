import * as sdk from '../../dist/index.js'
import { story } from './story.mjs'

/** At module level, where Workers draw no random numbers and open no sockets. */
export const socket = new sdk.AuthedSocket({
  url: 'ws://127.0.0.1:9/',
  auth: () => 'token',
  transmission: sdk.viaSubprotocol(),
  protocol: sdk.multiplexed(),
})

export default {
  async fetch(request) {
    const server = new URL(request.url).searchParams.get('server')
    try {
      return Response.json(await story(sdk, { server }))
    } catch (error) {
      return new Response(`${error?.stack}`, { status: 500 })
    }
  },
}
