import { abortReason } from './abort.ts'

const ignore = () => {}

/** Ignoring the promise never raises `unhandledRejection`; awaiting it still rejects. */
export const handled = <T>(promise: Promise<T>): Promise<T> => {
  promise.catch(ignore)
  return promise
}

/** Rejects with the signal's reason as soon as it aborts, whatever `promise` does then. */
export const abortable = <T>(promise: PromiseLike<T>, signal?: AbortSignal | null): Promise<T> => {
  if (!signal) return Promise.resolve(promise)
  return new Promise((resolve, reject) => {
    const aborted = () => reject(abortReason(signal))
    if (signal.aborted) aborted()
    signal.addEventListener('abort', aborted, { once: true })
    const ended = () => signal.removeEventListener('abort', aborted)
    promise.then(
      (value) => {
        ended()
        resolve(value)
      },
      (error) => {
        ended()
        reject(error)
      },
    )
  })
}
