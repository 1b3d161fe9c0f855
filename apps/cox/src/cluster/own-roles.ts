/** The processes that are `cox` itself; a node's runtime may bring daemons. */
export const ownRoles = ['load-balancer', 'control-plane', 'node'] as const;
export type OwnRole = (typeof ownRoles)[number];
