import { checkConformance, formatReport } from '../src/conformance/index.ts'
import { viaSubprotocol } from '../src/index.ts'

/** For a test of your server; `tokenOf` signs a user in as you do it elsewhere. */
export async function expectRooms(
  url: string,
  tokenOf: (user: string) => Promise<string>,
): Promise<void> {
  const report = await checkConformance({
    url,
    tokens: { a: () => tokenOf('alice'), b: () => tokenOf('bob') },
    transmission: viaSubprotocol(),
    rooms: { prefix: 'test-', forbidden: 'staff' },
    expect: ['auth', 'history'],
  })
  if (!report.conforms) throw new Error(formatReport(report))
}
