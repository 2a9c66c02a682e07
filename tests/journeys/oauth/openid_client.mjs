// A whole life of an app's tokens with npm's openid-client, which knows of this server nothing
// but its address: everything else comes from the metadata.
//
// Reads a JSON object from standard input: modules, issuer, clientId, clientSecret,
// resourceServer {id, secret}, redirectUri, scope. It prints an authorization address and then
// reads, as one line of JSON, the address to which the browser was sent back.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => JSON.parse((await lines.next()).value);
const say = (value) => console.log(JSON.stringify(value));
const refusal = async (promise) =>
  promise.then(() => "accepted", (error) => error.error ?? error.code ?? String(error));

const given = await next();
const oauth = await import(pathToFileURL(`${given.modules}/openid-client/build/index.js`).href);
const options = { algorithm: "oauth2", execute: [oauth.allowInsecureRequests] };
const discover = (id, secret, how) =>
  oauth.discovery(new URL(given.issuer), id, undefined, how(secret), options);

const config = await discover(given.clientId, given.clientSecret, oauth.ClientSecretBasic);
const codeVerifier = oauth.randomPKCECodeVerifier();
const state = oauth.randomState();
const parameters = {
  redirect_uri: given.redirectUri,
  scope: given.scope,
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
  code_challenge_method: "S256",
};
const address = given.pushed
  ? await oauth.buildAuthorizationUrlWithPAR(config, parameters)
  : oauth.buildAuthorizationUrl(config, parameters);
say({ address: address.href });

const { callback } = await next();
const checks = { pkceCodeVerifier: codeVerifier, expectedState: state };
const mixedUp = new URL(callback);
mixedUp.searchParams.set("iss", "https://evil.example");
const mixUp = await refusal(oauth.authorizationCodeGrant(config, mixedUp, checks));

const first = await oauth.authorizationCodeGrant(config, new URL(callback), checks);
const second = await oauth.refreshTokenGrant(config, first.refresh_token);
const own = await oauth.clientCredentialsGrant(config, { scope: "partner.listings.read" });
const byPost = await discover(given.clientId, given.clientSecret, oauth.ClientSecretPost);
const ownByPost = await oauth.clientCredentialsGrant(byPost, { scope: "partner.events.read" });

const { id, secret } = given.resourceServer;
const server = await discover(id, secret, oauth.ClientSecretBasic);
const live = await oauth.tokenIntrospection(server, second.access_token);
await oauth.tokenRevocation(config, second.refresh_token);
const dead = await oauth.tokenIntrospection(server, second.access_token);

say({
  issuer: config.serverMetadata().issuer,
  supportsPkce: config.serverMetadata().supportsPKCE(),
  mixUp,
  first: { scope: first.scope, type: first.token_type, life: first.expires_in },
  rotated: second.refresh_token !== first.refresh_token,
  own: own.scope,
  ownByPost: ownByPost.scope,
  live: { active: live.active, scope: live.scope, organization: live.organization },
  dead,
  afterRevocation: await refusal(oauth.refreshTokenGrant(config, second.refresh_token)),
});
process.exit(0);
