using QRCoder;
using Vtp.Application.Identity;

namespace Vtp.Infrastructure.Links;

internal sealed class QrCodes : IQrCodes
{
    private const int PixelsPerModule = 6;

    public byte[] Draw(string text)
    {
        using var data = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.M);
        using var code = new PngByteQRCode(data);
        return code.GetGraphic(PixelsPerModule);
    }
}
