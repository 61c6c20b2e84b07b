# The PyTorch models whose parameter names and outputs the project reproduces. Writes, to the folder given:
# weights.safetensors (the state_dict), pixels.bin (uint8 NHWC), noise.bin, and expected.safetensors (outputs, loss, gradients).
import json, struct, sys
import torch
import torch.nn as nn
import torch.nn.functional as F


class ConvVae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 32, 4, 2, 1), nn.ReLU(), nn.BatchNorm2d(32),
            nn.Conv2d(32, 64, 4, 2, 1), nn.ReLU(), nn.BatchNorm2d(64),
            nn.Conv2d(64, 128, 4, 2, 1), nn.ReLU(), nn.BatchNorm2d(128),
            nn.Flatten(), nn.Linear(128 * 4 * 4, 1024), nn.ReLU())
        self.fc_mu = nn.Linear(1024, 128)
        self.fc_logvar = nn.Linear(1024, 128)
        self.decoder = nn.Sequential(
            nn.Linear(128, 1024), nn.Linear(1024, 128 * 4 * 4), nn.ReLU(), nn.Unflatten(1, (128, 4, 4)),
            nn.ConvTranspose2d(128, 64, 4, 2, 1), nn.ReLU(), nn.BatchNorm2d(64),
            nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(), nn.BatchNorm2d(32),
            nn.ConvTranspose2d(32, 3, 4, 2, 1), nn.Tanh())

    def forward(self, x, noise):
        h = self.encoder(x)
        mu, logvar = self.fc_mu(h), self.fc_logvar(h)
        return self.decoder(mu + (0.5 * logvar).exp() * noise), mu, logvar


def save(path, tensors):
    header, data = {}, b""
    for name, t in tensors.items():
        raw = t.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": "I64" if t.dtype == torch.int64 else "F32", "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


out = sys.argv[1]
torch.manual_seed(1)
model = ConvVae()
pixels = torch.randint(0, 256, (6, 32, 32, 3), dtype=torch.uint8)
images = pixels.permute(0, 3, 1, 2).float() / 127.5 - 1
noise = torch.randn(6, 128)
for _ in range(3):  # running statistics and weights other than the initial ones
    model(images, noise)
with torch.no_grad():
    for name, p in model.named_parameters():
        p.add_(0.01 * torch.randn_like(p))
save(f"{out}/weights.safetensors", model.state_dict())

expected = {}
model.eval()
with torch.no_grad():
    decoded, mu, logvar = model(images, noise)
    expected.update(mean=mu, log_variance=logvar, decoded=decoded)
model.train()
decoded, mu, logvar = model(images, noise)
reconstruction = F.mse_loss(decoded, images, reduction="sum")
kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
((reconstruction + kl) / 6).backward()
expected.update(reconstruction=reconstruction, kl=kl)
expected.update({f"gradient/{name}": p.grad.clone() for name, p in model.named_parameters()})
optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
losses = []
for _ in range(12):
    decoded, mu, logvar = model(images, noise)
    loss = (F.mse_loss(decoded, images, reduction="sum") - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())) / 6
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
expected["losses"] = torch.tensor(losses)
save(f"{out}/expected.safetensors", expected)
save(f"{out}/inputs.safetensors", {"pixels": pixels.float(), "noise": noise})
