/** A claim as it is (with a prefix), or an expression over `claims`. */
export type ClaimMapping = { readonly claim: string; readonly prefix: string } | { readonly expression: string };

export type ClaimRule = { readonly claim: string; readonly requiredValue: string } | { readonly expression: string; readonly message: string };

/** Whose tokens are taken, and which user each makes. Upstream's `JWTAuthenticator`. */
export interface JwtAuthenticatorConfig {
  readonly issuer: {
    /** `iss` of its tokens, exactly. */
    readonly url: string;
    /** Where its discovery document is, when not below `url`. */
    readonly discoveryUrl?: string;
    /** PEM; absent: the system's. */
    readonly certificateAuthority?: string;
    /** A token must be for one of these. */
    readonly audiences: readonly string[];
  };
  readonly signingAlgorithms: readonly string[];
  readonly claimValidationRules: readonly ClaimRule[];
  readonly claimMappings: {
    readonly username: ClaimMapping;
    readonly groups?: ClaimMapping;
    readonly uid?: { readonly claim: string } | { readonly expression: string };
    readonly extra: readonly { readonly key: string; readonly valueExpression: string }[];
  };
  /** Over `user`. */
  readonly userValidationRules: readonly { readonly expression: string; readonly message: string }[];
}

export const SIGNING_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'] as const;
