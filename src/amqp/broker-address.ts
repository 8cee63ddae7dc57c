/** Where a broker is, and as whom to enter which of its virtual hosts. */
export interface BrokerAddress {
  host: string;
  port: number;
  user: string;
  password: string;
  vhost: string;
}
