export { LoopaiError } from './domain/errors.ts'
