/** A document of CycloneDX, as far as the tests look at it. */
interface Sbom {
  serialNumber: string;
  metadata: { timestamp: string; component: object };
  components: { purl: string; hashes: object[] }[];
}

/** See sbom.mjs. */
export function billOfMaterials(of: { version: string; changed: Date }): Promise<Sbom>;
