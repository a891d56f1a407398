import { presenceSuite } from './presence-suite.ts'

presenceSuite('memory')
