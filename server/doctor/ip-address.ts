/** Recognizes IP addresses in WeChat's answers. `node:net` is not used, because the doctor's checks run on any runtime. */

export const isIpv4 = (text: string) => /^\d{1,3}(\.\d{1,3}){3}$/.test(text)

export const isIpv6 = (text: string) => /^[0-9a-f:.]{2,45}$/i.test(text) && text.split(':').length > 2

/** Whether a value is an address or a range in CIDR notation. */
export const isAddressOrRange = (value: unknown): value is string => {
  const address = typeof value === 'string' ? value.replace(/\/\d{1,3}$/, '') : ''
  return isIpv4(address) || isIpv6(address)
}
