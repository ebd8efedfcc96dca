/**
 * The response of `/cgi-bin/user/info` in the format that WeChat has used since 2021. It contains no nickname and no
 * picture.
 */
import type { Account } from './account.ts'
import type { Phone } from './phone.ts'

export function toUserInfo({ openid, unionid, following }: Phone, { hasUnionid }: Account): object {
  const union = hasUnionid ? { unionid } : {}
  if (!following) return { subscribe: 0, openid, ...union, tagid_list: [] }
  const { at, scene } = following
  return {
    subscribe: 1,
    openid,
    nickname: '',
    sex: 0,
    language: '',
    city: '',
    province: '',
    country: '',
    headimgurl: '',
    subscribe_time: Math.floor(at / 1000),
    ...union,
    remark: '',
    groupid: 0,
    tagid_list: [],
    subscribe_scene: scene === null ? 'ADD_SCENE_SEARCH' : 'ADD_SCENE_QR_CODE',
    // WeChat reports a scene of digits as `qr_scene`, and any other scene as `qr_scene_str`.
    qr_scene: isNumber(scene) ? Number(scene) : 0,
    qr_scene_str: isNumber(scene) ? '' : (scene ?? ''),
  }
}

const isNumber = (scene: string | null): scene is string => scene !== null && /^\d+$/.test(scene)
