/** The client of the simulator's control API for this page. */
import { createSimulatorClient, type PhoneClient } from '../simulator/client.ts'

export type { PhoneClient }

const simulator = createSimulatorClient('simulator')

export const createPhoneClient = (person: string): PhoneClient => simulator.phone(person)
