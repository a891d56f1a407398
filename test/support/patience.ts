/** A busy machine is waited for: the second that is the default says more of the machine than of what is tested. */
import { vi } from 'vitest'

const PATIENCE_MS = 30_000
const { waitFor } = vi

// Files that share a process share `vi`, and each of them comes here.
if (waitFor.name !== 'waitPatiently')
  vi.waitFor = function waitPatiently(callback, options) {
    return waitFor(
      callback,
      typeof options === 'number' ? options : { timeout: PATIENCE_MS, ...options },
    )
  }
