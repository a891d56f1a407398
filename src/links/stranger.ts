import { isOther } from '../core/identity.ts'
import type { Resolved } from '../options.ts'

/** Nobody signed in since the last welcome, and still it names another user: the cookie changed hands. */
export const isStranger = ({ pin, holder }: Resolved, user: string | undefined): boolean => {
  const { login } = holder.identity
  if (pin.user?.login === login && isOther(pin.user.welcome, user)) return true
  if (user !== undefined) pin.user = { login, welcome: user }
  return false
}
