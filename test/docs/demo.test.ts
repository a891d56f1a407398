import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import { openStage } from '../../demo/stage.ts'
import { play } from '../../demo/story.ts'

const noPage = () => createServer().listeners('request')[0] as never

describe('npm run demo', () => {
  it('tells its story in order', async () => {
    const stage = await openStage('node', noPage)
    const lines: string[] = []
    await play(stage, (line) => lines.push(line))
    const order = [
      'signed in as alice',
      'status: connected',
      'joined lobby',
      'alice says: hello',
      'the server closed the socket: 4003 "token expired"',
      'POST /api/token/refresh/',
      'joined lobby again',
      'alice says: still here',
    ]
    expect(lines.filter((line) => order.includes(line))).toEqual([
      ...order.slice(0, 6),
      'status: connected',
      ...order.slice(6),
    ])
    await stage.close()
  })

  it('breaks when the server does not play along', async () => {
    const stage = await openStage('node', noPage)
    const broken = { ...stage, socketUrl: stage.socketUrl.replace('/ws/', '/no-such-path/') }
    await expect(play(broken, () => {})).rejects.toThrow('404')
    await stage.close()
  })
})
