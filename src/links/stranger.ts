import type { Resolved } from '../options.ts'

/** Nobody signed in since the last welcome, and still it names another user: the cookie changed hands. */
export const isStranger = ({ pin, holder }: Resolved, user: string | undefined): boolean => {
  const { login } = holder.identity
  if (user === undefined) return false
  if (pin.user?.login === login && pin.user.welcome !== user) return true
  pin.user = { login, welcome: user }
  return false
}
