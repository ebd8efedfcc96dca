/** The client of the simulator's control API for this page. */
import { createSimulatorClient, type PhoneClient } from '../simulator/client.ts'
import { visitorPath } from './visitor.ts'

export type { PhoneClient }

const simulator = createSimulatorClient(`${visitorPath}/simulator`)

export const createPhoneClient = (person: string): PhoneClient => simulator.phone(person)
