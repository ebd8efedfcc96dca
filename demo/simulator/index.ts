/** `wechat-bind/simulator`: a WeChat for tests. README.md beside this file tells what it does and what it leaves out. */
export type { Account } from './account.ts'
export { createSimulatorClient, type PhoneClient, type SimulatorClient } from './client.ts'
export type { ChatMessageView, PhoneView, ScanView, SimulatorView } from './control-api.ts'
export { type CallbackFault, EVERY_PATH } from './faults.ts'
export type { Phone, ScanScreen } from './phone.ts'
export { createSimulator, type Simulator, type SimulatorMemory, type SimulatorOptions } from './simulator.ts'
export type { WireEntry, WireKind } from './traffic-log.ts'
