/** Words between the tabs of an origin: everybody hears them but who speaks. */
export interface TabChannel {
  post(message: object): void
}

interface Channel {
  onmessage: ((event: { data: unknown }) => void) | null
  postMessage(message: object): void
  /** Node: a channel must not keep a process alive. */
  unref?(): void
}

/** Where there are no channels (Safari before 15.4) nobody hears anything. */
export const openTabChannel = (name: string, hear: (data: unknown) => void): TabChannel => {
  const { BroadcastChannel } = globalThis as { BroadcastChannel?: new (name: string) => Channel }
  if (BroadcastChannel === undefined) return { post: () => {} }
  const channel = new BroadcastChannel(name)
  channel.onmessage = ({ data }) => hear(data)
  channel.unref?.()
  return { post: (message) => channel.postMessage(message) }
}
