/** The clients in other languages as commands: the tool that each client needs, whether it is installed, and how to run the client. */
import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'

type Tool = {
  file: string
  needs: string
  isInstalled: boolean
  /** Compiles the client into the folder, if its language needs that. Returns the command that runs the client. */
  build(folder: string): Promise<string[]>
}

export type CommandResult = { code: number; stdout: string; stderr: string }

// No client needs this long, even on a busy machine: a client waits 10 s for the server.
const TIMEOUT_MS = 50_000

const pathOf = (file: string) => join(import.meta.dirname, '../../../server/clients', file)

/** Runs a command; resolves with its exit code and output, even if it fails. */
export function run([command = '', ...args]: string[], env: Record<string, string> = {}): Promise<CommandResult> {
  const { PATH = '', HOME = '/tmp' } = process.env
  // Java and others read their arguments in the locale's encoding.
  const overrides = { PATH, HOME, LC_ALL: 'C.UTF-8', ...env }
  return new Promise((resolve) => {
    execFile(command, args, { env: overrides, timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr })
    })
  })
}

/** The JVM's fast compiler and one thread for garbage: a short run takes half the CPU time. */
export const forShortRuns = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']

async function compile(command: string[]): Promise<void> {
  const { code, stderr } = await run(command)
  if (code !== 0) throw new Error(`${command.join(' ')} failed: ${stderr}`)
}

function outputOf(command: string, ...args: string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 })
  return status === 0 ? stdout : undefined
}

export const works = (command: string, ...args: string[]) => outputOf(command, ...args) !== undefined

/** The number that the pattern finds in the output of the command; 0 if the command is not installed. */
export const versionOf = (pattern: RegExp, command: string, ...args: string[]) =>
  Number(pattern.exec(outputOf(command, ...args) ?? '')?.[1] ?? 0)

// Debian installs python3-jwcrypto for /usr/bin/python3, and another python3 may come first on the PATH.
const python = ['python3', '/usr/bin/python3'].find((command) => works(command, '-c', 'import jwcrypto'))

export const tools: Tool[] = [
  {
    file: 'client.py',
    needs: 'python3 with jwcrypto',
    isInstalled: python !== undefined,
    build: async () => [python ?? '', pathOf('client.py')],
  },
  {
    file: 'client.go',
    needs: 'Go 1.18 or newer',
    isInstalled: versionOf(/go1\.(\d+)/, 'go', 'version') >= 18,
    async build(folder) {
      const program = join(folder, 'client')
      await compile(['go', 'build', '-o', program, pathOf('client.go')])
      return [program]
    },
  },
  {
    file: 'Client.java',
    needs: 'a JDK, 17 or newer',
    isInstalled: versionOf(/javac (\d+)/, 'javac', '-version') >= 17,
    async build(folder) {
      await compile(['javac', '-d', folder, pathOf('Client.java')])
      return ['java', ...forShortRuns, '-cp', folder, 'Client']
    },
  },
  {
    file: 'client.php',
    needs: 'PHP 8.1 or newer with openssl',
    isInstalled: works('php', '-r', 'exit(PHP_VERSION_ID >= 80100 && extension_loaded("openssl") ? 0 : 1);'),
    build: async () => ['php', pathOf('client.php')],
  },
  {
    file: 'client.sh',
    needs: 'bash, curl and the jose CLI',
    isInstalled: works('bash', '--version') && works('curl', '--version') && works('jose', 'alg'),
    build: async () => ['bash', pathOf('client.sh')],
  },
]
