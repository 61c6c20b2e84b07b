# The same models, losses and optimizers in PyTorch: python3 pytorch.py RECIPE THREADS IMAGES trains one epoch for every line it
# reads and prints images per second. bench/Bench/Worker.cs answers the same.
import sys
import time
import torch
import torch.nn as nn
import torch.nn.functional as F


class Vae(nn.Module):
    def __init__(self, encoder, width, latent, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.mean, self.log_variance = nn.Linear(width, latent), nn.Linear(width, latent)

    def forward(self, x):
        h = self.encoder(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        kl = -0.5 * (1 + log_variance - mean ** 2 - log_variance.exp())
        return self.decoder(mean + (0.5 * log_variance).exp() * torch.randn_like(mean)), kl


def conv_vae():
    def down(i, o):
        return [nn.Conv2d(i, o, 4, 2, 1), nn.ReLU(), nn.BatchNorm2d(o)]

    def up(i, o):
        return [nn.ConvTranspose2d(i, o, 4, 2, 1), nn.ReLU(), nn.BatchNorm2d(o)]
    return Vae(
        nn.Sequential(*down(3, 32), *down(32, 64), *down(64, 128), nn.Flatten(), nn.Linear(2048, 1024), nn.ReLU()), 1024, 128,
        nn.Sequential(nn.Linear(128, 1024), nn.Linear(1024, 2048), nn.ReLU(), nn.Unflatten(1, (128, 4, 4)),
                      *up(128, 64), *up(64, 32), nn.ConvTranspose2d(32, 3, 4, 2, 1), nn.Tanh()))


def keras_vae():
    return Vae(
        nn.Sequential(nn.Conv2d(1, 32, 3, 1, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(), nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(),
                      nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(), nn.Flatten(), nn.Linear(12544, 32), nn.ReLU()), 32, 2,
        nn.Sequential(nn.Linear(2, 12544), nn.ReLU(), nn.Unflatten(1, (64, 14, 14)), nn.ConvTranspose2d(64, 32, 3, 2, 1, 1), nn.ReLU(),
                      nn.Conv2d(32, 1, 3, 1, 1)))


def mlp_vae():
    return Vae(nn.Sequential(nn.Flatten(), nn.Linear(784, 400), nn.ReLU()), 400, 20,
               nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784), nn.Unflatten(1, (1, 28, 28))))


def autoencoder():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 256), nn.ReLU(),
                         nn.Linear(256, 784), nn.ReLU(), nn.Unflatten(1, (1, 28, 28)))


def squared_error(model, x):
    y, kl = model(x)
    return ((y - x) ** 2).sum() / len(x) + kl.sum() / len(x)


def cross_entropy(model, x):
    y, kl = model(x)
    return F.binary_cross_entropy_with_logits(y, x, reduction="sum") / len(x) + kl.sum() / len(x)


def mean_cross_entropy(model, x):
    y, kl = model(x)
    return F.binary_cross_entropy_with_logits(y, x) + 5e-4 * 2 * kl.mean()


def reconstruction(model, x):
    return ((model(x) - x) ** 2).sum() / len(x)


def adam(rate):
    return lambda parameters: torch.optim.Adam(parameters, rate)


def rmsprop(parameters):
    return torch.optim.RMSprop(parameters, 1e-3, alpha=0.9, eps=1e-7)


cases = {
    "cifar10-conv-vae-128": (conv_vae, squared_error, adam(1e-4), 128, (3, 32, 32), 2),
    "mnist-conv-vae-2d": (keras_vae, mean_cross_entropy, rmsprop, 16, (1, 28, 28), 1),
    "mnist-vae-20": (mlp_vae, cross_entropy, adam(1e-3), 128, (1, 28, 28), 1),
    "mnist-ae-64": (autoencoder, reconstruction, adam(1e-3), 128, (1, 28, 28), 1),
}
build, loss_of, optimizer_of, batch, shape, span = cases[sys.argv[1]]
torch.set_num_threads(int(sys.argv[2]))
images = torch.randint(0, 256, (int(sys.argv[3]), *shape), dtype=torch.uint8)
model = build()
optimizer = optimizer_of(model.parameters())
for _ in sys.stdin:
    start = time.perf_counter()
    order = torch.randperm(len(images))
    for first in range(0, len(images), batch):
        x = images[order[first:first + batch]].float() * (span / 255) - (span - 1)
        loss = loss_of(model, x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
    print(len(images) / (time.perf_counter() - start), flush=True)
