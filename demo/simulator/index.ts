/** The exports of `wechat-bind-server/simulator`, a simulated WeChat for tests. docs/simulator.md describes its scope and limits. */
export type { Account } from './account.ts'
export { createSimulatorClient, type PhoneClient, type SimulatorClient } from './client.ts'
export type { ChatMessageView, PhoneView, ScanView, SimulatorView } from './control-api.ts'
export { type CallbackFault, EVERY_PATH } from './faults.ts'
export type { Phone, ScanScreen } from './phone.ts'
export { createSimulator, type Simulator, type SimulatorMemory, type SimulatorOptions } from './simulator.ts'
export type { WireEntry, WireKind } from './traffic-log.ts'
