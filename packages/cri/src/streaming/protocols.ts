/** Remote command subprotocols over SPDY, best first. v2 and v1 have no JSON status; v1 and v2 no resize. */
export const SPDY_COMMAND_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io'] as const;

/** Remote command subprotocols over WebSocket, best first. */
export const WS_COMMAND_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v4.base64.channel.k8s.io', 'channel.k8s.io', 'base64.channel.k8s.io'] as const;

export const SPDY_PORT_FORWARD_PROTOCOL = 'portforward.k8s.io';
/** SPDY frames inside WebSocket messages: kubectl's default since 1.31. */
export const WS_TUNNEL_PROTOCOL = 'SPDY/3.1+portforward.k8s.io';
export const WS_PORT_FORWARD_PROTOCOLS = [WS_TUNNEL_PROTOCOL, 'v4.channel.k8s.io', 'v4.base64.channel.k8s.io', 'portforward.k8s.io'] as const;

/** v4 and later report the outcome as a `Status`. */
export const hasJsonStatus = (protocol: string) => /^v[45]\./.test(protocol);

/** Channel numbers of remote command over WebSocket. */
export const Channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;

/** How long a SPDY client may take to open its streams: upstream's. */
export const STREAM_CREATION_TIMEOUT_MS = 30_000;
