namespace Vtp.Infrastructure.Email;

/// <summary>A final no for this message and recipient; sending it again would get the same answer.</summary>
internal sealed class EmailRejected(string reason, Exception? innerException = null) : Exception(reason, innerException);
