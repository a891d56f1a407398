import { describe, expect, it } from 'vitest'
import { Canaries } from './canaries.ts'

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.q3v8Zk1mN-x_7LtYb0RwUeHsDgCfJpAoVtXnEiKzQw'
const OTHER = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.Zk1mN8q3v-x_Yb0RwUe7LtHsDgJpAoVtCfEiKzQwXn'

const canaries = new Canaries()
canaries.add({ token: TOKEN, label: 'one' })
canaries.add({ token: OTHER, label: 'other' })

const percent = (text: string): string =>
  [...text].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('')

describe('canaries', () => {
  it.each([
    ['in a URL', `ws://host/?token=${TOKEN}&x=1`],
    ['in a URL that is encoded', encodeURIComponent(`ws://host/?token=${TOKEN}`)],
    ['percent-encoded', `before ${percent(TOKEN)} after`],
    ['in base64', Buffer.from(TOKEN).toString('base64')],
    ['in base64url, behind one more byte', Buffer.from(`a${TOKEN} and more`).toString('base64url')],
    ['in base64, behind two more', Buffer.from(`ab${TOKEN} and more`).toString('base64')],
    ['by twelve letters of its signature', '… Yb0RwUeHsDgC …'],
  ])('are found %s, and told apart', (_, text) => {
    expect([...canaries.in(text)]).toEqual(['one'])
  })

  it('are found together', () => {
    expect([...canaries.in(`${OTHER} ${TOKEN}`)].sort()).toEqual(['one', 'other'])
  })

  it.each([
    ['a URL that was redacted', 'ws://host/?token=… answered the handshake with HTTP 403'],
    ['the claims, which are no secret', TOKEN.split('.').slice(0, 2).join('.')],
    ['eleven letters', '… Yb0RwUeHsDg …'],
    ['a % that encodes nothing', '100 % of %zz'],
  ])('are not seen in %s', (_, text) => {
    expect([...canaries.in(text)]).toEqual([])
  })
})
