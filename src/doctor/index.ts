/** authed-socket/doctor: names what keeps a socket from working, and the line to change. */
export type { Cause, CauseName, Confidence, Diagnosis, Evidence } from './causes.ts'
export type { CrowdOptions } from './crowd.ts'
export { type DiagnoseOptions, diagnose } from './diagnose.ts'
export type { WayKind, WayName } from './ways.ts'
