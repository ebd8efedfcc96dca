/** Reads the settings of the web authorization (网页授权), with which a page inside WeChat binds without a scan. */
import type { EnvReader } from './env-reader.ts'

/** A file by which WeChat's console verifies a domain. It is served at the root. */
export type VerifyFile = { name: string; content: string }

export type OauthSettings = {
  isOn: boolean
  /** WeChat's host for browsers, without a trailing slash. */
  openBase: string
  verifyFiles: VerifyFile[]
}

const OPEN_BASE = 'https://open.weixin.qq.com'

export function parseOauth(reader: EnvReader): OauthSettings {
  return {
    isOn: reader.oneOf('WECHAT_OAUTH', ['on', 'off'], 'off') === 'on',
    openBase: (reader.url('WECHAT_OPEN_BASE', OPEN_BASE) ?? OPEN_BASE).replace(/\/+$/, ''),
    verifyFiles:
      reader.text('WECHAT_VERIFY_FILE') === undefined ? [] : reader.parsed('WECHAT_VERIFY_FILE', parseVerifyFiles, []),
  }
}

const VERIFY_FILE = /^(MP_verify_[\w-]{1,64}\.txt):([\x21-\x2b\x2d-\x7e]{1,256})$/

/** Parses `MP_verify_….txt:content`, or several of these separated by commas. */
function parseVerifyFiles(text: string): VerifyFile[] {
  return text.split(',').map((each) => {
    const [, name, content] = VERIFY_FILE.exec(each.trim()) ?? []
    if (name !== undefined && content !== undefined) return { name, content }
    throw new TypeError(
      'must be the name and the content of the file that WeChat offers for download, for example MP_verify_x.txt:x (several: separated by commas) | ' +
        '须为微信提供下载的文件的文件名与内容，例如 MP_verify_x.txt:x（多个以逗号分隔）',
    )
  })
}
