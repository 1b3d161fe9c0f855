/** Media types of the OCI image specification and Docker's older ones, which are the same documents by other names. */
export const MediaType = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
} as const;

export const isManifest = (type: string) => type === MediaType.ociManifest || type === MediaType.dockerManifest;
export const isIndex = (type: string) => type === MediaType.ociIndex || type === MediaType.dockerManifestList;
export const isLayer = (type: string) => /^application\/vnd\.(oci\.image\.layer|docker\.image\.rootfs)\./.test(type);
