/** Turns all stored data of a user into JSON that a person can read, for `ExportUser` and `wechat-bind bindings show`. */
import type { User } from '../store/store.ts'
import type { UserRecord } from '../store/user-record.ts'

export type UserExport = ReturnType<typeof toUserExport>

const toTime = (ms: number) => new Date(ms).toISOString()

/**
 * Contains no secret, no scene and no code. `record` is undefined for an unknown user. The version is that of `known`, because
 * the version of an erased user is kept. `OperatorActions` lists the actions in the console, and is absent if there are none. The
 * operators' names are left out, because they are personal data of the operators.
 */
export function toUserExport(known: Pick<User, 'identity' | 'version'>, record: UserRecord | undefined) {
  const { tenant, account, userId } = known.identity
  const binding = record?.user.binding
  return {
    Tenant: tenant,
    Account: account,
    User_ID: userId,
    Version: (record?.user ?? known).version,
    Binding: binding
      ? {
          OpenId: binding.openid,
          UnionId: binding.unionid,
          AppId: binding.appId,
          IsSubscribed: binding.subscribed,
          BoundAt: toTime(binding.boundAt),
          Label: binding.label,
          Language: binding.lang,
        }
      : null,
    History: (record?.history ?? []).map(({ uid, type, reason, version, at }) => ({
      Id: uid,
      Type: `binding.${type}`,
      Reason: reason,
      Version: version,
      At: toTime(at),
    })),
    Tickets: (record?.tickets ?? []).map((ticket) => ({
      AppId: ticket.appId,
      State: ticket.state,
      Label: ticket.label,
      Language: ticket.lang,
      CreatedAt: toTime(ticket.createdAt),
      ExpiresAt: toTime(ticket.expiresAt),
      ScannedBy: ticket.scannedBy,
    })),
    Authorizations: (record?.authorizations ?? []).map((authorization) => ({
      AppId: authorization.appId,
      State: authorization.state,
      Return: authorization.returnUrl,
      CreatedAt: toTime(authorization.createdAt),
      ExpiresAt: toTime(authorization.until),
      OpenId: authorization.openid,
    })),
    Notices: (record?.notices ?? []).map(({ uid, state, nextAt, attempts }) => ({
      Id: uid,
      State: state,
      NextTryAt: toTime(nextAt),
      Attempts: attempts,
    })),
    ...(record && record.actions.length > 0
      ? { OperatorActions: record.actions.map(({ action, at }) => ({ Action: action, At: toTime(at) })) }
      : {}),
  }
}
