/**
 * Reads a file of bindings as a stream: NDJSON, or CSV with a header line that names the members. Throws `BAD_REQUEST` for any
 * other file. Node only.
 */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline, Readable } from 'node:stream'
import { type CsvError, type Info, parse } from 'csv-parse'
import { BindError, counted } from '../../errors.ts'
import { fromCell } from '../csv.ts'
import { names, type RawLine, required, toName } from './binding-line.ts'

/** `number` is the line in the file, from 1. `raw` is a fault if the line is not an object. */
export type FileLine = { number: number; raw: RawLine | { notAnObject: true } }

// The longest line has nine members of at most 128 characters, escaped.
const MAX_LINE = 16 * 1024

const SNIFFED_BYTES = 4096

export async function* readImportFile(path: string, hasAccount: boolean): AsyncGenerator<FileLine> {
  const start = await readStart(path)
  if (start.trim() === '') {
    throw refused(
      'the file is empty: expected NDJSON, or CSV with a header line',
      '文件为空：须为 NDJSON，或带表头的 CSV',
    )
  }
  if (start.trimStart().startsWith('[')) {
    throw refused(
      'the file is a JSON array: expected NDJSON, one object per line ("jq -c .[]" converts it)',
      '文件是 JSON 数组：须为 NDJSON，每行一个对象（可用 "jq -c .[]" 转换）',
    )
  }
  yield* start.trimStart().startsWith('{') ? readNdjson(path) : readCsv(path, hasAccount)
}

async function readStart(path: string): Promise<string> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw refused(`the file cannot be opened (${error.code})`, `文件无法打开（${error.code}）`)
  })
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(SNIFFED_BYTES), 0, SNIFFED_BYTES, 0)
    const start = buffer.subarray(0, bytesRead)
    const mark = start.toString('latin1', 0, 2)
    if (mark === 'PK') {
      throw refused(
        'the file is an Excel workbook or a zip archive: save it as CSV (UTF-8)',
        '文件是 Excel 工作簿或 zip 压缩包：请另存为 CSV（UTF-8）',
      )
    }
    if (mark === '\u00ff\u00fe' || mark === '\u00fe\u00ff' || start.includes(0)) throw notUtf8()
    return start.toString('utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    if (error instanceof BindError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ESPIPE') {
      throw refused(
        'the file is a pipe: expected a file, because the import reads it twice',
        '文件是管道：须为普通文件，因为导入会读取两遍',
      )
    }
    throw refused(`the file cannot be read (${code})`, `文件无法读取（${code}）`)
  } finally {
    await file.close()
  }
}

async function* readText(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    for await (const chunk of createReadStream(path)) yield decoder.decode(chunk as Buffer, { stream: true })
    yield decoder.decode()
  } catch (error) {
    throw error instanceof TypeError ? notUtf8() : error
  }
}

async function* readNdjson(path: string): AsyncGenerator<FileLine> {
  let number = 0
  let rest = ''
  for await (const text of readText(path)) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      number++
      expectShort(line, number)
      if (line.trim() !== '') yield { number, raw: parseObject(line) }
    }
    expectShort(rest, number + 1)
  }
  if (rest.trim() !== '') yield { number: number + 1, raw: parseObject(rest) }
}

function expectShort(line: string, number: number): void {
  if (line.length <= MAX_LINE) return
  throw refused(
    `line ${number} is longer than ${MAX_LINE} characters: expected NDJSON, one object per line`,
    `第 ${number} 行超过 ${MAX_LINE} 个字符：须为 NDJSON，每行一个对象`,
  )
}

function parseObject(line: string): FileLine['raw'] {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { notAnObject: true }
    const raw: RawLine = {}
    for (const [key, member] of Object.entries(value)) {
      const name = toName(key)
      // Unknown members, for example of a later version, are ignored, as in the API.
      if (name) raw[name] = member
    }
    return raw
  } catch {
    return { notAnObject: true }
  }
}

type CsvRecord = { record: Record<string, string>; info: Info }

async function* readCsv(path: string, hasAccount: boolean): AsyncGenerator<FileLine> {
  const parser = parse({
    bom: true,
    columns: (head: string[]) => toColumns(head, hasAccount),
    info: true,
    max_record_size: MAX_LINE,
    // An edited file may have several kinds of line endings.
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
  })
  // The parser passes an error of the file on to the loop below.
  pipeline(Readable.from(readText(path)), parser, () => {})
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvRecord>) {
      const raw: RawLine = {}
      for (const name of names) if (record[name] !== undefined) raw[name] = fromCell(record[name])
      yield { number: info.lines, raw }
    }
  } catch (error) {
    throw error instanceof BindError ? error : toRefusal(error as CsvError)
  } finally {
    parser.destroy()
  }
}

function toColumns(head: string[], hasAccount: boolean): string[] {
  const columns = head.map(toName)
  const unknown = head.filter((_, i) => columns[i] === undefined)
  const missing = required.filter((name) => !columns.includes(name) && !(name === 'Account' && hasAccount))
  if (missing.length > 0) {
    const hint = missing.includes('Account')
      ? {
          en: '; if all users have the same account, leave out the column Account and add --account',
          zh: '；单一账户的文件可省略 Account：请加 --account',
        }
      : { en: '', zh: '' }
    throw refused(
      `line 1 must be the header line of a CSV, with ${missing.join(', ')} (all names: ${names.join(', ')})${hint.en}`,
      `第 1 行须为 CSV 表头，并含 ${missing.join('、')}（全部列名：${names.join('、')}）${hint.zh}`,
    )
  }
  if (unknown.length > 0) {
    throw refused(
      `line 1 has ${counted(unknown.length, 'column')} with unknown names: remove or rename them (allowed: ${names.join(', ')})`,
      `第 1 行有 ${unknown.length} 个其他列名：请删除或改名（允许：${names.join('、')}）`,
    )
  }
  if (new Set(columns).size < columns.length) {
    throw refused('line 1 has two columns with the same name: remove one of them', '第 1 行有重名的列：请删除其一')
  }
  return columns as string[]
}

function toRefusal({ code, lines }: CsvError & { lines?: number }): BindError {
  const [en, zh] = csvFaults[code] ?? ['is not valid CSV', '不是有效的 CSV']
  return refused(`line ${lines ?? '?'} ${en}`, `第 ${lines ?? '?'} 行${zh}`)
}

const csvFaults: Record<string, [string, string]> = {
  CSV_RECORD_INCONSISTENT_COLUMNS: [
    'has another number of cells than the header line: expected one for each name',
    '单元格数与表头不一致：每个列名须对应一个单元格',
  ],
  CSV_QUOTE_NOT_CLOSED: ['begins a cell with a quotation mark that is never closed', '有未闭合的引号'],
  CSV_MAX_RECORD_SIZE: [`is longer than ${MAX_LINE} characters`, `超过 ${MAX_LINE} 个字符`],
  INVALID_OPENING_QUOTE: [
    'has a quotation mark inside a cell: write it twice, and put the cell between quotation marks',
    '单元格内有引号：引号须写两次，且整格置于引号内',
  ],
  CSV_INVALID_CLOSING_QUOTE: [
    'has text after the closing quotation mark of a cell: expected a comma',
    '单元格的右引号后有多余文本：须为逗号',
  ],
}

const refused = (en: string, zh: string) => new BindError('BAD_REQUEST', `${en}.\n${zh}。`)

const notUtf8 = () =>
  refused(
    'the file is not UTF-8: save it as UTF-8 (in Excel: "CSV UTF-8")',
    '文件不是 UTF-8 编码：请另存为 UTF-8（Excel 中选“CSV UTF-8”）',
  )
