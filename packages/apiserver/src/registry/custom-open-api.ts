/** How a resource whose schema is not in the tables shows itself in OpenAPI. Made when somebody asks. */
export interface CustomOpenApi {
  /** Changes when the schema does. */
  readonly hash: string;
  /** The definition of the kind; its references are to built-in names. Absent: the fields are not published. */
  readonly schema: (dialect: 'v2' | 'v3') => Record<string, unknown>;
}
