import { isOther } from '../core/identity.ts'
import type { Resolved } from '../options.ts'

/** Nobody signed in since the last welcome, and still it names another user: the cookie changed hands. */
export const isStranger = ({ pin, holder }: Resolved, user: string | undefined): boolean => {
  const { login } = holder.identity
  const known = pin.user?.login === login ? pin.user : undefined
  if (isOther(known?.welcome, user)) return true
  pin.user = { login, welcome: user ?? known?.welcome }
  return false
}
