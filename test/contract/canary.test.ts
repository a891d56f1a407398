import { describe, expect, it } from 'vitest'
import { findLeaks, type Sighting, stringsIn } from './canary.ts'

const TOKEN =
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.q3v+8Zk1mN-x_7LtYb0RwUeHsDgCfJpAoVtXnEiKzQw'

const isFound = (text: string): boolean => findLeaks([TOKEN], [{ where: 'x', text }]).length > 0
const percent = (text: string): string =>
  [...text].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('')

describe('the search for tokens', () => {
  it('finds a token however it is written', () => {
    const url = `ws://host/?token=${TOKEN}&x=1`
    const forms = [url, encodeURIComponent(url), percent(TOKEN)]
    for (const before of ['', 'a', 'ab', 'abc'])
      for (const encoding of ['base64', 'base64url'] as const)
        forms.push(Buffer.from(`${before}${TOKEN} and more`).toString(encoding))
    expect(forms.filter((form) => !isFound(form))).toEqual([])
  })

  it('finds any twelve characters of the signature, and takes nothing else for a token', () => {
    const signature = TOKEN.split('.')[2] ?? ''
    expect(isFound(`…${signature.slice(9, 21)}…`)).toBe(true)
    expect(isFound(`…${signature.slice(9, 20)}…`)).toBe(false)
    expect(isFound('ws://host/?token=… answered the handshake with HTTP 403')).toBe(false)
  })

  it.each<[string, unknown]>([
    ['a property', { deep: [{ token: TOKEN }] }],
    [
      'a getter of the class',
      new (class {
        get url() {
          return `ws://host/?token=${TOKEN}`
        }
      })(),
    ],
    ['an inherited property', Object.create({ token: TOKEN })],
    ['a hidden property', Object.defineProperty({}, 'token', { value: TOKEN })],
    ['the name of a property', { [TOKEN]: true }],
    ['a map', new Map([[1, { token: TOKEN }]])],
    ['a property of a function', Object.assign(() => {}, { token: TOKEN })],
    ['the message of an error', new Error(TOKEN)],
    ['the cause of an error', new Error('no', { cause: new Error(TOKEN) })],
  ])('looks into %s', (_, value) => {
    const sightings: Sighting[] = stringsIn(value, 'it')
    expect(findLeaks([TOKEN], sightings)).not.toEqual([])
  })
})
