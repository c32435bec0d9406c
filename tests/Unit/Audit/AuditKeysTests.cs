using System.Security.Cryptography;
using Vtp.Domain.Audit;

namespace Vtp.Unit.Audit;

public sealed class AuditKeysTests : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    [Fact]
    public void The_signature_of_RFC_7515_appendix_A_3_is_a_key_and_a_form_that_are_understood()
    {
        // Its header names no type, so it is no statement of ours; its key and its 64 bytes are what ES256 is.
        const string Jwk = """
            {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
            """;
        using var keys = AuditKeys.Parse(Jwk);

        Kinds(keys, "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
            + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q").Should().Equal(AuditFindingKind.BadSignature);
    }

    [Fact]
    public void A_statement_that_is_signed_where_the_key_is_kept_is_the_same()
    {
        var payload = Checkpoint().ToPayload();
        var input = AuditSignature.SigningInput("a", AuditSignature.CheckpointType, payload);
        var signature = _key.SignData(System.Text.Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        using var keys = AuditKeys.Parse(SignedExport.Json(SignedExport.JwkOf(_key, "a")));

        Kinds(keys, AuditSignature.Join(input, signature)).Should().BeEmpty();
    }

    [Fact]
    public void One_key_of_a_set_is_enough_and_others_are_passed_over()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var keys = AuditKeys.Parse(SignedExport.Json(new
        {
            keys = new[] { new { kty = "RSA", n = "AQAB" }, SignedExport.JwkOf(other, "b"), SignedExport.JwkOf(_key, "a"), new { kty = "OKP", crv = "Ed25519" } },
        }));

        Kinds(keys, Checkpoint().Sign(_key, "a")).Should().BeEmpty();
        Kinds(keys, Checkpoint().Sign(_key, "b")).Should().Equal(AuditFindingKind.BadSignature);
        Kinds(keys, Checkpoint().Sign(_key, "c")).Should().Equal(AuditFindingKind.UnknownKey);
    }

    [Fact]
    public void A_PEM_key_has_no_name_to_compare()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var keys = AuditKeys.Parse($"A comment\n{other.ExportSubjectPublicKeyInfoPem()}\n{_key.ExportSubjectPublicKeyInfoPem()}\n");

        Kinds(keys, Checkpoint().Sign(_key, "anything")).Should().BeEmpty();
    }

    [Theory]
    [InlineData("""{"alg":"ES256","kid":"a","typ":"vtp-audit-checkpoint","crit":["b64"],"b64":false}""")]
    [InlineData("""{"alg":"ES256","alg":"ES256","kid":"a","typ":"vtp-audit-checkpoint"}""")]
    [InlineData("""{"alg":"es256","kid":"a","typ":"vtp-audit-checkpoint"}""")]
    [InlineData("""{"alg":"ES256","kid":"a"}""")]
    [InlineData("""{"alg":"ES256","kid":"a","typ":"\ud800"}""")]
    [InlineData("""{"\ud800":"ES256"}""")]
    [InlineData("[]")]
    [InlineData("")]
    public void A_header_that_is_not_as_agreed_is_not_believed_though_the_signature_is_right(string header)
    {
        using var keys = AuditKeys.Parse(SignedExport.Json(SignedExport.JwkOf(_key, "a")));
        var input = $"{SignedExport.Base64(header)}.{SignedExport.Base64(Checkpoint().ToPayload())}";
        var signature = _key.SignData(System.Text.Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

        Kinds(keys, AuditSignature.Join(input, signature)).Should().Equal(AuditFindingKind.BadSignature);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"organization_id":null}""")]
    [InlineData("""{"organization_id":null,"sequence":0,"hash":"0000000000000000000000000000000000000000000000000000000000000000","at":1}""")]
    [InlineData("""{"organization_id":null,"sequence":1,"hash":"00","at":1}""")]
    [InlineData("""{"organization_id":null,"sequence":1,"hash":"000000000000000000000000000000000000000000000000000000000000000G","at":1}""")]
    [InlineData("""{"organization_id":null,"sequence":1,"hash":"0000000000000000000000000000000000000000000000000000000000000000"}""")]
    [InlineData("""{"organization_id":7,"sequence":1,"hash":"0000000000000000000000000000000000000000000000000000000000000000","at":1}""")]
    [InlineData("no json")]
    public void A_payload_that_does_not_say_what_it_must_proves_nothing(string payload)
    {
        using var keys = AuditKeys.Parse(SignedExport.Json(SignedExport.JwkOf(_key, "a")));

        Kinds(keys, AuditSignature.Sign(_key, "a", AuditSignature.CheckpointType, System.Text.Encoding.UTF8.GetBytes(payload)))
            .Should().Equal(AuditFindingKind.BadSignature);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"ranges":[[2,1]]}""")]
    [InlineData("""{"ranges":[[1]]}""")]
    [InlineData("""{"ranges":[[0,1]]}""")]
    [InlineData("""{"ranges":[1,2]}""")]
    [InlineData("""{"ranges":{}}""")]
    public void A_retention_that_does_not_say_what_it_must_proves_nothing(string payload)
    {
        using var keys = AuditKeys.Parse(SignedExport.Json(SignedExport.JwkOf(_key, "a")));
        var findings = new List<AuditFinding>();
        var text = payload == "{}" ? """{"organization_id":null}""" : payload.Replace("{\"ranges", "{\"organization_id\":null,\"ranges");

        new AuditVerifier(null, isFiltered: false, keys, findings.Add)
            .AddRetention(AuditSignature.Sign(_key, "a", AuditSignature.RetentionType, System.Text.Encoding.UTF8.GetBytes(text)));

        findings.Select(finding => finding.Kind).Should().Equal(AuditFindingKind.BadSignature);
    }

    [Theory]
    [InlineData("", "It is neither a JWK Set*")]
    [InlineData("ssh-rsa AAAA", "It is neither a JWK Set*")]
    [InlineData("[]", "It is neither a JWK Set*")]
    [InlineData("{}", "It holds no public P-256 key*")]
    [InlineData("""{"keys":[]}""", "It holds no public P-256 key*")]
    [InlineData("""{"keys":[{"kty":"RSA"},1]}""", "It holds no public P-256 key*")]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}""", "It holds a key that is not a point on P-256.")]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}""", "It holds a key that is not a point on P-256.")]
    [InlineData("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "It holds a key that is not a point on P-256.")]
    [InlineData("-----BEGIN PUBLIC KEY-----", "It holds no public P-256 key*")]
    public void What_is_no_key_is_one_sentence(string text, string sentence)
    {
        var parse = () => AuditKeys.Parse(text);

        parse.Should().Throw<FormatException>().WithMessage(sentence);
    }

    [Fact]
    public void Keys_of_another_curve_and_private_keys_are_refused()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var parse = () => AuditKeys.Parse(other.ExportSubjectPublicKeyInfoPem());
        parse.Should().Throw<FormatException>().WithMessage("*not a point on P-256.");

        var parsePrivate = () => AuditKeys.Parse(_key.ExportPkcs8PrivateKeyPem());
        parsePrivate.Should().Throw<FormatException>().WithMessage("*a private key has no place here.");
    }

    public void Dispose() => _key.Dispose();

    private static AuditCheckpoint Checkpoint() => new(null, 1, AuditChain.Genesis, DateTimeOffset.UnixEpoch);

    private static List<AuditFindingKind> Kinds(AuditKeys keys, string jws)
    {
        var findings = new List<AuditFinding>();
        new AuditVerifier(null, isFiltered: true, keys, findings.Add).AddCheckpoint(jws);
        return findings.ConvertAll(finding => finding.Kind);
    }
}
