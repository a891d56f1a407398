/** Headers of the handshake, where scripts can set none. */
import { canSetHeaders } from './native-socket.ts'
import { isOriginAlone } from './origin-alone.ts'

export const IGNORED = 'webSocketOptions is ignored: this runtime sends the Origin by itself'

/**
 * The option `webSocketOptions` as far as it may be used here.
 *
 * @throws {TypeError} where it would set headers, or `transmission` does
 */
export const usable = <Given extends object>(
  transmission: { readonly name: string; readonly runtimes: string } | undefined,
  given: Given | undefined,
  logger: { warn(message: string): void },
): Given | undefined => {
  const isHeader = transmission?.runtimes === 'node'
  if (!(given || isHeader) || canSetHeaders()) return given
  if (isHeader)
    throw new TypeError(
      `AuthedSocket: transmission ${transmission.name} needs request headers, which this runtime does not let scripts set: use viaSubprotocol() or viaQuery()`,
    )
  if (!given) return given
  if (!isOriginAlone(given))
    throw new TypeError(
      'AuthedSocket: webSocketOptions: no option and no header can be set in this runtime',
    )
  logger.warn(IGNORED)
  return undefined
}
