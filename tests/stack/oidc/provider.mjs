// The local sign-in: a certified OpenID provider with a page on which one chooses whom to be.
// PORT, FOLDER (keeps the signing key), CLIENT_ID, CLIENT_SECRET and REDIRECT_URI come from the environment.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Provider from "oidc-provider";

const { PORT, FOLDER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI } = process.env;
const PEOPLE = ["alice", "bob"];

const keyFile = join(FOLDER, "key.json");
if (!existsSync(keyFile)) {
  const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
  writeFileSync(keyFile, JSON.stringify({ ...key, kid: randomBytes(8).toString("hex"), use: "sig", alg: "RS256" }), {
    mode: 0o600,
  });
}

const capitalised = (word) => word[0].toUpperCase() + word.slice(1);

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  clients: [
    {
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
      redirect_uris: [REDIRECT_URI],
    },
  ],
  jwks: { keys: [JSON.parse(readFileSync(keyFile, "utf8"))] },
  cookies: { keys: [randomBytes(32).toString("hex")] },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  conformIdTokenClaims: false, // like Google, put the e-mail address and name into the ID token
  pkce: { required: () => true },
  ttl: { AccessToken: 3600, AuthorizationCode: 60, Grant: 3600, IdToken: 3600, Interaction: 3600, Session: 3600 },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({ sub, name: capitalised(sub), email: `${sub}@people.example`, email_verified: true }),
  }),
  // There is one client and it is ours: nobody needs to be asked for consent.
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid email profile");
    await grant.save();
    return grant;
  },
});

const page = (address) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in to the local Nanoka</title>
<style>body{font:1.1rem system-ui;max-width:24rem;margin:20vh auto;padding:1rem}button{font:inherit;padding:.6rem 1.2rem;margin-inline-end:.5rem}</style>
<h1>Who are you today?</h1>
<p>This page stands in for Google on your own machine. Nobody else can reach it.</p>
<form method="post" action="${address}">
${PEOPLE.map((sub) => `<button type="submit" name="sub" value="${sub}">${capitalised(sub)}</button>`).join("\n")}
</form>
</html>`;

const read = async (request) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  return new URLSearchParams(body);
};

provider.use(async (ctx, next) => {
  // Ask at every sign-in: who tries things out wants to change person, not to be remembered.
  if (ctx.path.startsWith("/auth")) {
    ctx.req.headers.cookie = ctx.req.headers.cookie?.replace(/(^|; )_session[^;]*/g, "");
  }
  if (!ctx.path.startsWith("/interaction/")) return next();
  await provider.interactionDetails(ctx.req, ctx.res); // throws for one that is over or someone else's
  const sub = ctx.method === "POST" ? (await read(ctx.req)).get("sub") : null;
  if (sub && /^[a-z0-9-]{1,64}$/.test(sub)) {
    ctx.respond = false;
    await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: sub, remember: false } });
  } else {
    ctx.type = "html";
    ctx.body = page(ctx.path);
  }
});

provider.listen(Number(PORT), "127.0.0.1");
