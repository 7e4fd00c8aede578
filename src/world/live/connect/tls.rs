//! Certificates for an engine on the network: what they are read from, and what it means when one side refuses the
//! other's. The provider of cryptography is named here and nowhere installed for the whole process, which others may do
//! as they like.

use super::ConnectError;
use super::Tls;
use rustls::AlertDescription;
use rustls::CertificateError;
use rustls::ClientConfig;
use rustls::DigitallySignedStruct;
use rustls::Error;
use rustls::RootCertStore;
use rustls::SignatureScheme;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::danger::ServerCertVerified;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::crypto::verify_tls12_signature;
use rustls::crypto::verify_tls13_signature;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::UnixTime;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use std::path::Path;
use std::sync::Arc;

/// The file of the authority, in every folder of certificates that Docker knows.
pub(super) const CA: &str = "ca.pem";
const CERT: &str = "cert.pem";
const KEY: &str = "key.pem";
/// Where it is written how such certificates are made.
const PAGE: &str = "https://docs.docker.com/engine/security/protect-access/";

/// The files that are there.
pub(super) fn files(folder: &Path) -> Tls {
    let file = |name: &str| Some(folder.join(name)).filter(|path| path.exists());
    Tls { ca: file(CA), cert: file(CERT), key: file(KEY), skip_verify: false }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// What is used to talk to the engine at this address.
///
/// # Errors
/// A file that is not there, cannot be read, or does not hold what it should.
pub(super) fn config(tls: &Tls, at: &str) -> Result<Arc<ClientConfig>, ConnectError> {
    let unfit = |path: &Path, said: String, next: &str| ConnectError::Certificate {
        at: at.to_owned(),
        path: path.display().to_string(),
        said,
        next: next.to_owned(),
    };
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| unfit(Path::new("TLS"), error.to_string(), "this is a fault of the program: report it"))?;
    let builder = if tls.skip_verify {
        let any = AnyCertificate(provider());
        builder.dangerous().with_custom_certificate_verifier(Arc::new(any))
    } else {
        builder.with_root_certificates(roots(tls.ca.as_deref(), &unfit)?)
    };
    let config = match (&tls.cert, &tls.key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(alone), None) | (None, Some(alone)) => {
            return Err(unfit(
                alone,
                "a certificate and its key go together".to_owned(),
                "put cert.pem and key.pem side by side",
            ));
        }
        (Some(cert), Some(key)) => {
            let chain = certificates(cert, &unfit)?;
            builder.with_client_auth_cert(chain, private_key(key, &unfit)?).map_err(|error| {
                let said = format!("it does not go with the key in {}: {error}", key.display());
                unfit(cert, said, "put the certificate beside the key it was made for")
            })?
        }
    };
    Ok(Arc::new(config))
}

/// Makes an error about a file of what is wrong and what to do.
type Unfit<'a> = &'a dyn Fn(&Path, String, &str) -> ConnectError;

fn roots(ca: Option<&Path>, unfit: Unfit<'_>) -> Result<RootCertStore, ConnectError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = ca else {
        // Some of a system's many authorities may be unreadable; it is the one that signed which matters.
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let said = found.errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string);
            return Err(unfit(Path::new("this system's authorities"), said, "name the engine's own authority: ca.pem"));
        }
        return Ok(roots);
    };
    for certificate in certificates(path, unfit)? {
        roots
            .add(certificate)
            .map_err(|error| unfit(path, error.to_string(), "get the authority's certificate again"))?;
    }
    Ok(roots)
}

fn content(path: &Path, unfit: Unfit<'_>) -> Result<Vec<u8>, ConnectError> {
    let next = "it is looked for in DOCKER_CERT_PATH or the folder of the context, and has to be readable for you";
    std::fs::read(path).map_err(|error| unfit(path, error.to_string(), next))
}

fn certificates(path: &Path, unfit: Unfit<'_>) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let next = "it has to hold a certificate in PEM, which begins with `-----BEGIN CERTIFICATE-----`";
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content(path, unfit)?).collect();
    match found {
        Ok(found) if found.is_empty() => Err(unfit(path, "it holds no certificate".to_owned(), next)),
        Ok(found) => Ok(found),
        Err(error) => Err(unfit(path, error.to_string(), next)),
    }
}

fn private_key(path: &Path, unfit: Unfit<'_>) -> Result<PrivateKeyDer<'static>, ConnectError> {
    let content = content(path, unfit)?;
    if content.windows(9).any(|word| word == b"ENCRYPTED") {
        let next = "Docker takes no such keys; `openssl pkey -in key.pem -out plain.pem` makes a plain one";
        return Err(unfit(path, "the key is protected by a password".to_owned(), next));
    }
    // The words of the error are not passed on: they may hold parts of the key.
    PrivateKeyDer::from_pem_slice(&content)
        .map_err(|_| unfit(path, "it holds no private key".to_owned(), "it has to hold a key in PEM"))
}

/// What was said, and what to do, when TLS did not come about.
pub(super) fn explain(error: &Error, tls: &Tls) -> (String, String) {
    let ca = tls.ca.as_ref().map_or_else(|| "an authority of this system".to_owned(), |ca| ca.display().to_string());
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => (
            format!("its certificate is not signed by {ca}"),
            format!(
                "get the ca.pem of this engine; where nobody changed it, somebody may be listening in between ({PAGE})"
            ),
        ),
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => (
            format!("its certificate {}", expired(error)),
            format!("make a new one for the engine, and restart it ({PAGE})"),
        ),
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => (
            format!("its certificate is for another host: {error}"),
            "use a name that it is for, or make one with this name or number as `subjectAltName`".to_owned(),
        ),
        Error::InvalidCertificate(_) => {
            (format!("its certificate cannot be accepted: {error}"), format!("make a new one for the engine ({PAGE})"))
        }
        Error::AlertReceived(alert) if is_about_us(*alert) => refused(tls, &format!("it said {alert:?}")),
        Error::InvalidMessage(_) => (
            "what it says is not TLS".to_owned(),
            "where there is to be no TLS: unset DOCKER_TLS_VERIFY and DOCKER_TLS, or leave them out of the context"
                .to_owned(),
        ),
        other => (other.to_string(), "see what the log of the engine says about TLS".to_owned()),
    }
}

fn is_about_us(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRequired
            | AlertDescription::NoCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}

/// The engine does not accept us. It does not say why in detail, but our own files do.
pub(super) fn refused(tls: &Tls, said: &str) -> (String, String) {
    let Some(cert) = &tls.cert else {
        return (
            format!("it wants to know who we are, and we have no certificate to show ({said})"),
            "put cert.pem and key.pem beside ca.pem, or make the context with `docker context create --docker \
             host=...,ca=...,cert=...,key=...`"
                .to_owned(),
        );
    };
    let fault = own_fault(tls).map(|fault| format!(": {fault}")).unwrap_or_default();
    (
        format!("it does not accept our certificate{fault} ({said})"),
        format!(
            "it has to be in date and signed by the engine's authority: `openssl x509 -noout -dates -issuer -in {}`",
            cert.display()
        ),
    )
}

/// What is wrong with our certificate, as far as it can be seen from here.
fn own_fault(tls: &Tls) -> Option<String> {
    let quiet =
        |path: &Path, said: String, _: &str| ConnectError::Unreadable { path: path.display().to_string(), said };
    let chain = certificates(tls.cert.as_deref()?, &quiet).ok()?;
    let authority = tls.ca.as_deref()?;
    let roots = roots(Some(authority), &quiet).ok()?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build().ok()?;
    let (own, rest) = chain.split_first()?;
    let error = verifier.verify_client_cert(own, rest, UnixTime::now()).err()?;
    Some(match &error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            format!("it is not signed by {}", authority.display())
        }
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            format!("it {}", expired(&error))
        }
        other => other.to_string(),
    })
}

/// Since when a certificate is out of date.
fn expired(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::ExpiredContext { time, not_after }) => {
            let hours = time.as_secs().saturating_sub(not_after.as_secs()) / 3600;
            if hours < 48 { format!("expired {hours} hours ago") } else { format!("expired {} days ago", hours / 24) }
        }
        _ => "expired".to_owned(),
    }
}

/// Accepts every certificate, as it was asked for. What is signed in the handshake is still checked.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
