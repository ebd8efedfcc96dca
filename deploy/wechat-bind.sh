#!/bin/sh
# Runs a command of wechat-bind with the user, the settings and the folder of the service. Run it as root, because only root
# may read the settings: install -m 755 deploy/wechat-bind.sh /usr/local/bin/wechat-bind
# 以服务的用户、配置与工作目录运行 wechat-bind 的命令；须以 root 运行，因为只有 root 可读配置。
set -eu
# --pty lets a command ask questions and show its progress on a terminal. Without a terminal, its output can be piped.
if [ -t 0 ] && [ -t 1 ]; then io=--pty; else io=--pipe; fi
exec systemd-run --quiet --wait --collect "$io" \
  -p User=wechat-bind -p UMask=0077 -p WorkingDirectory=/var/lib/wechat-bind \
  -p Environment=DATABASE_URL=sqlite:/var/lib/wechat-bind/wechat-bind.db \
  -p EnvironmentFile=-/etc/wechat-bind.env \
  /usr/bin/node /opt/wechat-bind/node_modules/wechat-bind-server/dist/server/cli.js "$@"
