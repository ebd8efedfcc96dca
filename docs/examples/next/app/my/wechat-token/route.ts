/** The token endpoint. A real one reads the session and calls `mintToken` of `wechat-bind/client` for its user. */
export const dynamic = 'force-dynamic'

export function GET() {
  return Response.json({ token: 'token' })
}
