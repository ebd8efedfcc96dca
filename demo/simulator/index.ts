/** The exports of `wechat-bind-server/simulator`, a simulated WeChat for tests. docs/simulator.md describes its scope and limits. */
export type { Account } from './account.ts'
export { createSimulatorClient, type PhoneClient, type SimulatorClient } from './client.ts'
export { EVERY_PATH } from './faults.ts'
export type { Phone } from './phone.ts'
export { createSimulator, type Simulator, type SimulatorMemory, type SimulatorOptions } from './simulator.ts'
export type { WireEntry, WireKind } from './traffic-log.ts'
export type { CallbackFault, ChatMessageView, PhoneView, ScanScreen, ScanView, SimulatorView } from './views.ts'
