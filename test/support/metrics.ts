/**
 * Reads `/metrics`. Returns the value of each series. The keys are the names with their labels, spelled as in
 * `/metrics`.
 */
import type { TestServer } from './test-server.ts'

export async function readMetrics({ app }: Pick<TestServer, 'app'>): Promise<Map<string, number>> {
  const text = await (await app.request('/metrics')).text()
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]))
}
