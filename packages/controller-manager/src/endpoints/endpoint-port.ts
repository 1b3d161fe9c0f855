/** A port of an EndpointSlice. */
export interface DiscoveryEndpointPort {
  readonly name?: string;
  readonly port?: number;
  readonly protocol?: string;
  readonly appProtocol?: string;
}
