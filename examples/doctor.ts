/** The snippets of docs/doctor.md. Each region is a function here, so that a test can run it. */
import { diagnose } from '../src/doctor/index.ts'
import { roomPerSocket, viaQuery } from '../src/index.ts'

export async function show(url: string, getToken: () => string): Promise<string> {
  // #region diagnose
  const diagnosis = await diagnose({
    url, // 'wss://chat.example.com/ws/chat/{room}'
    auth: () => getToken(),
    transmission: viaQuery(),
    protocol: roomPerSocket(),
    room: 'lobby',
  })
  console.log(`${diagnosis.cause} (${diagnosis.confidence})`)
  console.log(diagnosis.says)
  console.log(diagnosis.fix)
  console.table(diagnosis.evidence)
  // #endregion
  return diagnosis.cause
}

export async function crowded(url: string, getToken: () => string): Promise<string> {
  // #region crowd
  const { cause } = await diagnose({
    url,
    auth: () => getToken(),
    transmission: viaQuery(),
    protocol: roomPerSocket(),
    room: 'a-room-for-this-test',
    watchMs: 1_000,
    crowd: { message: (mark) => ({ message: mark }) },
  })
  // #endregion
  return cause
}
