import { defineLifecycle } from './lifecycle.ts'

export default defineLifecycle('pause')
